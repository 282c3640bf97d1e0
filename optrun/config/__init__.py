"""The config: its vocabulary, its loader, and what the loader says about mistakes."""
