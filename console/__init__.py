"""The operators' room: the terminal console and the demo that puts all parts together."""
