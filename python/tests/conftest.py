"""The models are so small that a second thread only waits."""

import torch

torch.set_num_threads(1)
