"""Stands in for Pyro5 where it is not installed, for tests: see pyro5.py."""
import os, sys

sys.path.append(os.path.join(os.path.dirname(__file__), "..", ".."))
import pyro5
from pyro5 import config
