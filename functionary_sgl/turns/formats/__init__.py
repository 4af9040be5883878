"""The formats, a file each: its turn program, and what ties that to a template and to models.
Families of the same structure share one."""
