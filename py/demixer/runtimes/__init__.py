"""Parts that only one kind of machine has: inference runtimes, audio files, a cluster. Only these files import them."""
