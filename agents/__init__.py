"""The device hosts' room: a light agent that drives tax devices."""
