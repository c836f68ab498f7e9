"""What a network runs on: Keras's backends, their devices, and the numbers that are computed in.

The one idea: everything that differs between TensorFlow, JAX and PyTorch is behind one seam, ``backend.Backend``.

Must not import anything heavy here: settings and the command line read these names.
"""

BACKENDS = ("tensorflow", "jax", "torch")
"""What Keras may run on; see ``dreamer.backends.backend``."""

PRECISIONS = ("auto", "float32", "bfloat16", "float16")
"""In which type of number a network may be computed; see ``dreamer.backends.precision``."""
