"""`tfruns doctor`: checks of the way to the API and of this machine, each with its remedy."""
