"""What PyInstaller must know of facemood: modules that are imported by name, and files that are not Python."""

from PyInstaller.utils.hooks import collect_data_files, collect_submodules, copy_metadata

LEFT_OUT = ("facemood.train", "facemood.archive", "facemood.evaluation", "facemood.window", "facemood.notebook")
"""Packages that the page does not need, and that need extras."""

datas = collect_data_files("facemood", excludes=["train/**", "**/*.d.ts"]) + copy_metadata("facemood")
hiddenimports = collect_submodules("facemood", filter=lambda name: not name.startswith(LEFT_OUT))
