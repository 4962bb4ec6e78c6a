"""Trains tf_efficientdet_d0 from scratch on synthetic shape scenes and writes a raw state_dict.

The scenes come from `effdet scenes`; folders that exist already are used as they are. The learning rate follows the
wall clock, so that a run takes --minutes on any machine; it is reproducible in its data and its method, not in its bits.
Whenever the averaged weights do better on the validation scenes than all before, they are written to --out.

Trains on CPUs: --workers processes of one thread each take their share of the scenes and average their gradients,
which on a busy machine is faster than one process of several threads.
"""
import argparse
import copy
import math
import os
import subprocess
import time
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from effdet.anchors import AnchorLabeler, Anchors
from effdet.loss import DetectionLoss

from evaluate_shapes import coco_numbers, make_network
from shapes_data import Scenes


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--effdet", default="effdet", help="the effdet program, to make scenes with")
    parser.add_argument("--work", type=Path, required=True, help="folder for the scenes")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint to write")
    parser.add_argument("--initial", type=Path, help="checkpoint to go on from, instead of random weights")
    parser.add_argument("--names", type=Path, help="class names to write, one a line")
    parser.add_argument("--minutes", type=float, default=90)
    parser.add_argument("--images", type=int, default=12000, help="training scenes")
    parser.add_argument("--seed", type=int, default=1000, help="of the training scenes; validation uses the next one")
    parser.add_argument("--side", type=int, default=256, help="network input side in pixels")
    parser.add_argument("--batch", type=int, default=8, help="images a step and worker")
    parser.add_argument("--learning-rate", type=float, default=1.5e-3)
    parser.add_argument("--warmup", type=int, default=150, help="steps")
    parser.add_argument("--decay", type=float, default=0.998, help="of the weights' moving average, per step")
    parser.add_argument("--evaluate-minutes", type=float, default=8, help="time between validations")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--port", type=int, default=29511, help="for the workers to meet at, on this machine")
    return parser.parse_args()


def make_scenes(args, name, images, seed):
    """The folder of that name under --work, made where it is missing."""
    folder = args.work / name
    if not (folder / "annotations" / "instances_val2017.json").exists():
        command = [args.effdet, "scenes", "--out", folder, "--images", str(images), "--seed", str(seed)]
        subprocess.run(command, check=True)
    return folder


def use_fast_kernels(network):
    """Has oneDNN run the depthwise convolutions of large kernels or strides in float32: it lacks fast bfloat16 ones."""

    def in_float32(forward):
        def wrapped(x):
            with torch.autocast("cpu", enabled=False):
                return forward(x.float())

        return wrapped

    for layer in network.modules():
        if isinstance(layer, torch.nn.Conv2d) and layer.groups > 1 and (layer.kernel_size[0] > 3 or layer.stride[0] > 1):
            layer.forward = in_float32(layer.forward)
    return network


class Average:
    """Exponential moving average of a network's weights and statistics, shorter while the run is young."""

    def __init__(self, network, decay):
        self.network = copy.deepcopy(network)
        self.decay, self.updates = decay, 0

    @torch.no_grad()
    def update(self, network):
        self.updates += 1
        weight = 1 - min(self.decay, self.updates / (self.updates + 10))
        for mean, new in zip(self.network.state_dict().values(), network.state_dict().values()):
            if mean.is_floating_point():
                mean.lerp_(new, weight)
            else:
                mean.copy_(new)


def make_optimizer(network, learning_rate):
    """AdamW; biases and normalisation weights are not decayed."""
    decayed = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 1e-2}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=learning_rate)


def rate_at(args, step, elapsed):
    """Linear warm-up by steps, then a cosine over the wall time to nearly zero."""
    done = min(1.0, elapsed / (args.minutes * 60))
    return args.learning_rate * min(1.0, (step + 1) / args.warmup) * (0.5 * (1 + math.cos(math.pi * done)) + 0.003)


def save_state_dict(network, path):
    """Writes whole or not at all; clones, so that each tensor has a storage of just its size."""
    state = {key: value.detach().contiguous().clone() for key, value in network.state_dict().items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, f"{path}.part")
    os.replace(f"{path}.part", path)


class Trainer:
    """One of the workers. All hold the same weights; the first also averages, evaluates and saves them."""

    def __init__(self, args, rank):
        self.args, self.rank = args, rank
        self.train = Scenes(args.work / "train", args.side, part=(rank, args.workers))
        self.random = np.random.default_rng([args.seed, rank])
        torch.manual_seed(args.seed)  # the same first weights in all workers
        network = make_network(args.side, len(self.train.names))
        if args.initial:
            network.load_state_dict(torch.load(args.initial, weights_only=True))
        if rank == 0:
            self.validation = Scenes(args.work / "validation", args.side)
            self.average = Average(network, args.decay)
        self.network = use_fast_kernels(network).to(memory_format=torch.channels_last).train()
        self.labeler = AnchorLabeler(Anchors.from_config(network.config), len(self.train.names), match_threshold=0.5)
        self.loss = DetectionLoss(network.config)
        self.optimizer = make_optimizer(self.network, args.learning_rate)
        self.best, self.elapsed = 0.0, 0.0
        self.start = time.monotonic()

    def batches(self):
        while True:
            order = self.random.permutation(len(self.train))
            for i in range(0, len(order) - self.args.batch + 1, self.args.batch):
                yield self.train.batch(order[i : i + self.args.batch], self.random)

    def synchronise(self):
        """Averages the gradients, and the clock, which decides the learning rate and the end."""
        gradients = [p.grad for p in self.network.parameters()]
        clock = torch.tensor([time.monotonic() - self.start])
        flat = torch.cat([g.flatten() for g in gradients] + [clock]) / self.args.workers
        dist.all_reduce(flat)
        self.elapsed = flat[-1].item()
        for gradient, mean in zip(gradients, flat[:-1].split([g.numel() for g in gradients])):
            gradient.copy_(mean.view_as(gradient))

    def step(self, number, images, boxes, classes):
        """One update; returns the class and box losses."""
        targets = self.labeler.batch_label_anchors(boxes, classes)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            class_out, box_out = self.network(images.contiguous(memory_format=torch.channels_last))
        total, class_loss, box_loss = self.loss([o.float() for o in class_out], [o.float() for o in box_out], *targets)
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        self.synchronise()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 10.0)
        for group in self.optimizer.param_groups:
            group["lr"] = rate_at(self.args, number, self.elapsed)
        self.optimizer.step()
        return class_loss.item(), box_loss.item()

    def evaluate(self, number):
        mean_ap = coco_numbers(self.average.network, self.validation)[0]
        print(f"step {number} after {self.elapsed / 60:.1f} min: validation mAP {mean_ap:.4f}", flush=True)
        if mean_ap > self.best:
            self.best = mean_ap
            save_state_dict(self.average.network, self.args.out)

    def run(self):
        losses, next_evaluation = [], self.args.evaluate_minutes * 60
        for number, batch in enumerate(self.batches()):
            losses.append(self.step(number, *batch))
            finished = self.elapsed >= self.args.minutes * 60
            if self.rank == 0:
                self.average.update(self.network)
                if len(losses) % 50 == 0:
                    class_loss, box_loss = np.mean(losses[-50:], axis=0)
                    print(f"step {number + 1} {self.elapsed:.0f} s: class {class_loss:.4f} box {box_loss:.5f}", flush=True)
                if finished or self.elapsed >= next_evaluation:
                    self.evaluate(number + 1)
                    next_evaluation = self.elapsed + self.args.evaluate_minutes * 60
            if finished:
                return


def work(rank, args):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", f"tcp://127.0.0.1:{args.port}", rank=rank, world_size=args.workers)
    Trainer(args, rank).run()
    dist.destroy_process_group()


def main():
    args = parse_arguments()
    make_scenes(args, "train", args.images, args.seed)
    validation = make_scenes(args, "validation", 200, args.seed + 1)
    if args.names:
        args.names.write_text("".join(f"{name}\n" for name in Scenes(validation, args.side).names))
    mp.spawn(work, (args,), nprocs=args.workers)


if __name__ == "__main__":
    main()
