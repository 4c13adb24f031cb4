"""Longitudinal charts with what is to be said of each; `build` writes the files from `cases`."""
