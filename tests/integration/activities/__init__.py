"""An activity's life: design, "An activity's life"."""
