"""How good the models are: songs with known stems in, SDR tables and a report out."""
