"""The engine for the browser (ES modules, in this folder), and the static site that runs it."""
