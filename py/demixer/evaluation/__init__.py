"""Measures separation quality on songs with known stems: SDR tables and a report."""
