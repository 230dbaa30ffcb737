"""Simulated practice, each part a process of its own: tax servers with memory, their bureau, and a mail catcher."""
