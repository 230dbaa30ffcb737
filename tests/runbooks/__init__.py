"""The pages operators read."""
