"""A clock that only tests move, however busy the machine is."""


class Clock:
    """What the module ``time`` is to a module that reads it.

    Starts at 0, as where a machine has just been started.

    Args:
        tick: Seconds that pass at every look at it.
    """

    def __init__(self, tick=0.0):
        self.now, self.tick = 0.0, tick

    def monotonic(self):
        self.now += self.tick
        return self.now

    def sleep(self, seconds):
        self.now += seconds
