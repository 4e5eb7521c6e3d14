"""What all tests need of their process."""

import os
import signal

import torch

# No window.
os.environ.setdefault("MPLBACKEND", "Agg")
# The models are so small that a second thread only waits.
torch.set_num_threads(1)
# A shell that runs the tests in the background lets them ignore Ctrl-C, which some of them send.
signal.signal(signal.SIGINT, signal.default_int_handler)
