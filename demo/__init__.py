"""The main job of tfruns on this machine, as an assistant does it: `make demo`."""
