"""What the page shows of each input: a picture, or what it has instead of one."""

from simplicert.report.portraits.find import portraits_of
from simplicert.report.portraits.pictures import Pictures
from simplicert.report.portraits.protocol import Portrait

__all__ = ["Pictures", "Portrait", "portraits_of"]
