"""Reading a folder of shape scenes in COCO's layout into memory, preprocessed as effdet's evaluation loader does."""
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)
FILL = tuple(int(round(255 * value)) for value in MEAN)


def letterbox(image, side):
    """Resizes an RGB PIL image to fit side x side and pastes it at the top left of a mean-coloured square.

    Returns the uint8 array (side, side, 3), the scale, and the size (width, height) of the pasted part.
    """
    scale = min(side / image.height, side / image.width)
    size = int(image.width * scale), int(image.height * scale)
    square = Image.new("RGB", (side, side), FILL)
    square.paste(image.resize(size, Image.BILINEAR))
    return np.asarray(square), scale, size


def normalise(images):
    """uint8 (n, side, side, 3) to the float32 network input (n, 3, side, side)."""
    batch = (images.astype(np.float32) - MEAN * 255) / (STD * 255)
    return torch.from_numpy(batch).permute(0, 3, 1, 2)


class Scenes:
    """All images of a folder, letterboxed, with their boxes in letterboxed pixels.

    part (k, n) takes every n-th image from the k-th on.
    """

    def __init__(self, root, side, part=(0, 1)):
        self.root = Path(root)
        self.annotation_file = self.root / "annotations" / "instances_val2017.json"
        index = json.loads(self.annotation_file.read_text())
        self.names = [category["name"] for category in sorted(index["categories"], key=lambda c: c["id"])]
        listed = index["images"][part[0] :: part[1]]
        self.ids = [image["id"] for image in listed]
        self.images = np.empty((len(self.ids), side, side, 3), np.uint8)
        self.scales, self.sizes = [], []
        for i, image in enumerate(listed):
            with Image.open(self.root / "val2017" / image["file_name"]) as opened:
                self.images[i], scale, size = letterbox(opened.convert("RGB"), side)
            self.scales.append(scale)
            self.sizes.append(size)
        self._read_objects(index["annotations"])

    def _read_objects(self, annotations):
        """boxes: (n, 4) float32 as y1, x1, y2, x2; classes: (n,) float32 counted from 1, both as effdet wants them."""
        objects = {image_id: [] for image_id in self.ids}
        for annotation in annotations:
            if annotation["image_id"] not in objects:
                continue
            x, y, width, height = annotation["bbox"]
            objects[annotation["image_id"]].append((y, x, y + height, x + width, annotation["category_id"]))
        rows = [np.array(objects[image_id], np.float32).reshape(-1, 5) for image_id in self.ids]
        self.boxes = [row[:, :4] * scale for row, scale in zip(rows, self.scales)]
        self.classes = [row[:, 4] for row in rows]

    def __len__(self):
        return len(self.ids)

    def sample(self, i, flip_x, flip_y):
        """Image i with its boxes and classes; flips turn the picture within the letterbox, so the margin stays put."""
        image, boxes = self.images[i], self.boxes[i]
        width, height = self.sizes[i]
        if flip_x or flip_y:
            image, boxes = image.copy(), boxes.copy()
        if flip_x:
            image[:height, :width] = image[:height, :width][:, ::-1].copy()
            boxes[:, [1, 3]] = width - boxes[:, [3, 1]]
        if flip_y:
            image[:height, :width] = image[:height, :width][::-1].copy()
            boxes[:, [0, 2]] = height - boxes[:, [2, 0]]
        return image, boxes, self.classes[i]

    def batch(self, indices, random):
        """A randomly flipped training batch: network input, lists of box and class tensors."""
        samples = [self.sample(i, random.random() < 0.5, random.random() < 0.5) for i in indices]
        images = normalise(np.stack([image for image, _, _ in samples]))
        boxes = [torch.from_numpy(boxes) for _, boxes, _ in samples]
        classes = [torch.from_numpy(classes) for _, _, classes in samples]
        return images, boxes, classes
