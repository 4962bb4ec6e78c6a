"""COCO mAP of a tf_efficientdet_d0 checkpoint on a folder in COCO's layout, by PyTorch effdet's own pipeline.

Detections above a score of 0.001, at most 100 an image, evaluated by pycocotools. Prints COCO's twelve numbers.
"""
import argparse
import contextlib
import io

import numpy as np
import torch
from effdet import DetBenchPredict, EfficientDet, get_efficientdet_config
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from shapes_data import Scenes, normalise


def make_network(side, classes):
    """tf_efficientdet_d0 for square images, with random weights and without stochastic depth."""
    config = get_efficientdet_config("tf_efficientdet_d0")
    config.image_size = (side, side)
    config.num_classes = classes
    config.backbone_args = {"drop_path_rate": 0.0}
    return EfficientDet(config, pretrained_backbone=False)


@torch.no_grad()
def detect(network, scenes, batch=16):
    """COCO result rows (image id, x, y, width, height, score, category id) of all scenes."""
    bench = DetBenchPredict(network).eval()
    rows = []
    for start in range(0, len(scenes), batch):
        chosen = slice(start, start + batch)
        info = {"img_scale": 1 / torch.tensor(scenes.scales[chosen]), "img_size": None}
        info["img_size"] = torch.tensor(scenes.sizes[chosen]) * info["img_scale"][:, None]
        detections = bench(normalise(scenes.images[chosen]), img_info=info)
        for image_id, found in zip(scenes.ids[chosen], detections.numpy()):
            found = found[found[:, 4] > 0.001]
            found[:, 2:4] -= found[:, :2]
            rows.append(np.column_stack([np.full(len(found), image_id), found]))
    return np.concatenate(rows)


def coco_numbers(network, scenes):
    """COCO's twelve numbers; the first is mAP at IoU 0.50:0.95."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(scenes.annotation_file))
        evaluation = COCOeval(truth, truth.loadRes(detect(network, scenes)), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint")
    parser.add_argument("scenes", help="folder in COCO's layout, such as `effdet scenes` writes")
    parser.add_argument("--side", type=int, default=256, help="network input side in pixels")
    args = parser.parse_args()
    scenes = Scenes(args.scenes, args.side)
    network = make_network(args.side, len(scenes.names))
    network.load_state_dict(torch.load(args.checkpoint, weights_only=True))
    print(" ".join(f"{value:.4f}" for value in coco_numbers(network, scenes)))


if __name__ == "__main__":
    main()
