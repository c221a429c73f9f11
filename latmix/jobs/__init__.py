"""Long work: generators that yield `Progress` and return a result, and the thread that runs them.

A job never prints and never knows a widget; closing its generator stops it between two steps, and
what was finished is kept. The command line drains jobs itself; the terminal UI gives them to the
engine.
"""
