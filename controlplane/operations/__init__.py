"""One function per verb: what a caller, an agent or the clock may do to the records, each inside one transaction."""
