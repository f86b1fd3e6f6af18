"""Ways to run Muster: the `muster` command and the embedded one-machine stack."""
