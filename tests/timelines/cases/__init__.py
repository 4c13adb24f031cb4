"""The cases, a module for each part of the chart that decides them."""
