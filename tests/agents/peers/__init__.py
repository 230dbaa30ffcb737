"""The two neighbours of an agent as real servers on loopback, scripted by the test, and the agent as a process."""
