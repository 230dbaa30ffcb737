"""The rules: pure, standard library only; every state machine is a frozen table of (state, move) → state."""
