"""How device kinds are spoken to, one dialect each; drivers know devices and nothing of the control plane's calls."""
