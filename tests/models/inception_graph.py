"""A frozen graph like the published one of InceptionV1, made with TensorFlow and seeded random weights.

Topology and node names are those of the published listing, its one garbled name included; the
weights are random. The archive around it is made here as well.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

# Branches of each block: 1x1, 3x3 bottleneck, 3x3, 5x5 bottleneck, 5x5, pool reduce.
BLOCKS = {
    "mixed3a": (64, 96, 128, 16, 32, 32),
    "mixed3b": (128, 128, 192, 32, 96, 64),
    "mixed4a": (192, 96, 204, 16, 48, 64),
    "mixed4b": (160, 112, 224, 24, 64, 64),
    "mixed4c": (128, 128, 256, 24, 64, 64),
    "mixed4d": (112, 144, 288, 32, 64, 64),
    "mixed4e": (256, 160, 320, 32, 128, 128),
    "mixed5a": (256, 160, 320, 48, 128, 128),
    "mixed5b": (384, 192, 384, 48, 128, 128),
}
NORMALISATION = {"depth_radius": 5, "bias": 2.0, "alpha": 1e-4, "beta": 0.5}
LABELS = ["dummy", *(f"thing {index}" for index in range(1, 1008))]


class GraphMaker:
    """Writes operations into the current TensorFlow graph under the published names."""

    def __init__(self, tf, seed, normalisation, **channels):
        self.tf = tf
        self.random = np.random.default_rng(seed)
        self.normalisation = normalisation
        self.blocks = BLOCKS | channels

    def constant(self, name, *shape, scale):
        values = self.random.normal(0, scale, shape).astype(np.float32)
        return self.tf.constant(values, name=name)

    def biased(self, x, name, product, bias_name=None):
        filters = product.shape[-1]
        bias = self.constant(f"{name}_b", filters, scale=0.3)
        return self.tf.raw_ops.BiasAdd(value=product, bias=bias, name=bias_name or f"{name}_pre_relu")

    def conv(self, x, name, size, filters, stride=1, bias_name=None):
        channels = x.shape[-1]
        kernel = self.constant(f"{name}_w", size, size, channels, filters, scale=(2 / (size * size * channels)) ** 0.5)
        product = self.tf.raw_ops.Conv2D(
            input=x, filter=kernel, strides=[1, stride, stride, 1], padding="SAME", name=f"{name}_pre_relu/conv"
        )
        return self.tf.raw_ops.Relu(features=self.biased(x, name, product, bias_name), name=name)

    def dense(self, x, name, units, suffix):
        kernel = self.constant(f"{name}_w", x.shape[-1], units, scale=(1 / x.shape[-1]) ** 0.5)
        product = self.tf.raw_ops.MatMul(a=x, b=kernel, name=f"{name}_{suffix}/matmul")
        return self.biased(x, name, product, f"{name}_{suffix}")

    def pool(self, x, name, kind, size, stride, padding):
        window = {"ksize": [1, size, size, 1], "strides": [1, stride, stride, 1], "padding": padding, "name": name}
        if kind == "MaxPool":
            return self.tf.raw_ops.MaxPool(input=x, **window)
        return self.tf.raw_ops.AvgPool(value=x, **window)

    def lrn(self, x, name):
        return self.tf.raw_ops.LRN(input=x, name=name, **self.normalisation)

    def reshape(self, x, name, features):
        shape = self.tf.constant([-1, features], name=f"{name}/shape")
        return self.tf.raw_ops.Reshape(tensor=x, shape=shape, name=name)

    def block(self, x, name):
        one, three_less, three, five_less, five, pool = self.blocks[name]
        axis = self.tf.constant(3, name=f"{name}/concat_dim")
        branches = [self.conv(x, f"{name}_1x1", 1, one)]
        for size, less, filters in ((3, three_less, three), (5, five_less, five)):
            narrow = self.conv(x, f"{name}_{size}x{size}_bottleneck", 1, less)
            branches.append(self.conv(narrow, f"{name}_{size}x{size}", size, filters))
        pooled = self.pool(x, f"{name}_pool", "MaxPool", 3, 1, "SAME")
        # As in the published listing.
        garbled = "2" if name == "mixed4e" else None
        branches.append(self.conv(pooled, f"{name}_pool_reduce", 1, pool, bias_name=garbled))
        return self.tf.raw_ops.Concat(concat_dim=axis, values=branches, name=name)

    def head(self, x, index):
        x = self.pool(x, f"head{index}_pool", "AvgPool", 5, 3, "VALID")
        x = self.conv(x, f"head{index}_bottleneck", 1, 128)
        x = self.reshape(x, f"head{index}_bottleneck/reshape", 2048)
        x = self.tf.raw_ops.Relu(features=self.dense(x, f"nn{index}", 1024, "pre_relu"), name=f"nn{index}")
        x = self.reshape(x, f"nn{index}/reshape", 1024)
        self.classify(x, index)

    def classify(self, x, index):
        logits = self.dense(x, f"softmax{index}", 1008, "pre_activation")
        self.tf.raw_ops.Softmax(logits=logits, name=f"softmax{index}")
        self.tf.identity(logits, name=f"output{index or ''}")

    def network(self):
        x = self.tf.compat.v1.placeholder(self.tf.float32, (None, None, None, 3), name="input")
        x = self.conv(x, "conv2d0", 7, 64, stride=2)
        x = self.lrn(self.pool(x, "maxpool0", "MaxPool", 3, 2, "SAME"), "localresponsenorm0")
        x = self.conv(self.conv(x, "conv2d1", 1, 64), "conv2d2", 3, 192)
        x = self.pool(self.lrn(x, "localresponsenorm1"), "maxpool1", "MaxPool", 3, 2, "SAME")
        before = {"mixed4a": "maxpool4", "mixed5a": "maxpool10"}
        heads = {}
        for name in self.blocks:
            if name in before:
                x = self.pool(x, before[name], "MaxPool", 3, 2, "SAME")
            x = heads[name] = self.block(x, name)
        pooled = self.pool(x, "avgpool0", "AvgPool", 7, 1, "VALID")
        self.head(heads["mixed4a"], 0)
        self.head(heads["mixed4d"], 1)
        self.classify(self.reshape(pooled, "avgpool0/reshape", 1024), 2)


def write_graph(path: Path, *, seed: int = 11, normalisation: dict | None = None, **channels) -> Path:
    """Write a frozen graph with random weights; ``channels`` change the branches of a block."""
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        GraphMaker(tf, seed, normalisation or NORMALISATION, **channels).network()
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return path


def write_archive(path: Path, graph: Path) -> Path:
    """Write an archive like the published one around a graph."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(graph, "tensorflow_inception_graph.pb")
        archive.writestr("imagenet_comp_graph_label_strings.txt", "\n".join(LABELS) + "\n")
        archive.writestr("LICENSE", "Apache-2.0")
    return path


def run_graph(path: Path, pictures: np.ndarray, names: list[str]) -> dict[str, np.ndarray]:
    """Have TensorFlow itself execute a frozen graph."""
    import tensorflow as tf

    graph_def = tf.compat.v1.GraphDef()
    graph_def.ParseFromString(path.read_bytes())
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def, name="")
        with tf.compat.v1.Session(graph=graph) as session:
            values = session.run([f"{name}:0" for name in names], {"input:0": pictures})
    return dict(zip(names, values, strict=True))
