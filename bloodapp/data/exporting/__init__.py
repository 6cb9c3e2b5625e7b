"""What remains of a dataset, written for others: as the course's or MedMNIST's `.npz`, as folders, `.zip` or table.

chosen    which images, read in blocks
place     where it goes: checked, whole or not at all, swept
arrays    the two `.npz`
pictures  class folders, the same in a `.zip`, pictures beside a table
names     names of files and folders that every system takes
formats   the table of formats, the export itself, and its job
"""

from bloodapp.data.exporting.formats import FORMATS, Exported, Format, export, guessed

__all__ = ["FORMATS", "Exported", "Format", "export", "guessed"]
