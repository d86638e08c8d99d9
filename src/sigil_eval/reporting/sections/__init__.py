"""The sections of the reports, a file each."""
