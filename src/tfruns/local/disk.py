"""How a full disk shows."""

import errno

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
