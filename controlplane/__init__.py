"""The tax-server control plane: rules, records and the API that serves them."""
