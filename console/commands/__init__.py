"""``taxplane get`` and ``taxplane do``: the console's lists and acts without the console, for scripts and for hands."""
