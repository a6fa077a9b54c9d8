from pyro5 import *
from pyro5 import ERRORS
globals().update(ERRORS)
