"""The PyTorch tutorial's own loop, as published: DataLoader, per-image transforms, Adam, and a test in training mode.

`python -m benchmarks.torch_tutorial SEED EPOCHS` prints one JSON object. Beside the published figure, which
comes from a network that never left training mode and met the test images one by one, it tests the same weights
in evaluation mode.
"""

from __future__ import annotations

import json
import sys
import time

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from engine.data import load


class Digits(Dataset):
    """Images as the tutorial's torchvision dataset gives them: one at a time, through the transforms."""

    def __init__(self, images, labels, transform):
        self.images, self.labels, self.transform = images, labels, transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.transform(self.images[index]), int(self.labels[index])


class Net(nn.Module):
    """The tutorial's network, 2,174 parameters."""

    def __init__(self):
        super().__init__()
        self.cnn_layers = nn.Sequential(
            nn.Conv2d(1, 4, kernel_size=3, stride=1, padding=1),
            nn.BatchNorm2d(4),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=2, stride=2),
            nn.Conv2d(4, 4, kernel_size=3, stride=1, padding=1),
            nn.BatchNorm2d(4),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=2, stride=2),
        )
        self.linear_layers = nn.Sequential(nn.Linear(4 * 7 * 7, 10))

    def forward(self, x):
        x = self.cnn_layers(x)
        return self.linear_layers(x.view(x.size(0), -1))


def accuracy(model, loader):
    """Return the share of right answers in whatever mode `model` is in."""
    correct = total = 0
    with torch.no_grad():
        for images, labels in loader:
            correct += (model(images).argmax(1) == labels).sum().item()
            total += len(labels)
    return correct / total


def main(seed: int, epochs: int) -> dict:
    """Run the tutorial; return its training loss per epoch, seconds per epoch and both test accuracies."""
    torch.manual_seed(seed)
    data = load()
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
    train_set = Digits(data.train_images, data.train_labels, transform)
    test_set = Digits(data.test_images, data.test_labels, transform)
    train_loader = DataLoader(train_set, batch_size=64, shuffle=True)
    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    criterion = nn.CrossEntropyLoss()
    losses, seconds = [], []
    for _ in range(epochs):
        began, running = time.perf_counter(), 0.0
        for images, labels in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(images), labels)
            loss.backward()
            optimizer.step()
            running += loss.item()
        losses.append(running / len(train_loader))
        seconds.append(time.perf_counter() - began)
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    as_published = accuracy(model, DataLoader(test_set, batch_size=1))
    model.load_state_dict(weights)
    model.eval()
    evaluated = accuracy(model, DataLoader(test_set, batch_size=1000))
    return {"train_loss": losses, "seconds": seconds, "test_as_published": as_published, "test_accuracy": evaluated}


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]))))
