import math

import pytest
import torch

from facemood.train.head_losses import consistency_loss, label_loss, vote_loss


def test_cross_entropy_by_hand() -> None:
    logits = torch.tensor([[math.log(3), 0.0]])
    assert label_loss(logits, torch.tensor([[1.0, 0.0]])).item() == pytest.approx(-math.log(0.75))
    mixed = -0.95 * math.log(0.75) - 0.05 * math.log(0.25)
    assert label_loss(logits, torch.tensor([[0.95, 0.05]])).item() == pytest.approx(mixed)


def test_class_weights_of_a_known_example() -> None:
    logits, targets = torch.tensor([[math.log(3), 0.0], [0.0, 0.0]]), torch.eye(2)
    weighted = label_loss(logits, targets, weights=torch.tensor([1.0, 3.0])).item()
    assert weighted == pytest.approx((-math.log(0.75) + 3 * math.log(2)) / 4)


def test_focal_loss_counts_what_is_right_already_less() -> None:
    logits, targets = torch.tensor([[math.log(3), 0.0]]), torch.tensor([[1.0, 0.0]])
    assert label_loss(logits, targets, gamma=2.0).item() == pytest.approx(-math.log(0.75) * 0.25**2)
    assert label_loss(logits, targets, gamma=0.0).item() == pytest.approx(-math.log(0.75))


def test_focal_loss_of_a_confident_network_is_finite_and_has_a_gradient() -> None:
    logits = torch.tensor([[80.0, -80.0], [-80.0, 80.0]], requires_grad=True)
    loss = label_loss(logits, torch.tensor([[1.0, 0.0], [1.0, 0.0]]), gamma=2.2)
    loss.backward()  # type: ignore[no-untyped-call]
    assert math.isfinite(loss.item())
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_divergence_is_zero_where_network_and_votes_agree() -> None:
    votes = torch.tensor([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
    logits = torch.stack([votes[0].log(), torch.tensor([50.0, 0.0, 0.0])])
    assert vote_loss(logits, votes, torch.ones(2)).item() == pytest.approx(0, abs=1e-6)


def test_divergence_of_a_known_example_is_weighted() -> None:
    votes, logits = torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([[0.0, 0.0], [math.log(3), 0.0]])
    share = torch.tensor([1.0, 0.5])
    expected = (math.log(2) + 0.5 * math.log(4 / 3)) / 1.5
    assert vote_loss(logits, votes, share).item() == pytest.approx(expected)


def test_a_batch_without_votes_costs_nothing_and_has_a_gradient() -> None:
    logits = torch.zeros(2, 3, requires_grad=True)
    loss = vote_loss(logits, torch.zeros(2, 3), torch.zeros(2))
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.item() == 0
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_two_equal_answers_are_consistent_and_others_cost_their_divergence() -> None:
    given = torch.tensor([[math.log(3), 0.0], [0.0, 0.0]])
    assert consistency_loss(given + 5, given).item() == pytest.approx(0, abs=1e-6)  # a shift of the logits is nothing
    expected = 0.75 * math.log(0.75 / 0.5) + 0.25 * math.log(0.25 / 0.5)
    assert consistency_loss(torch.zeros(2, 2), given).item() == pytest.approx(expected / 2)


def test_the_given_answer_is_not_pulled_towards_the_other() -> None:
    learning, given = torch.zeros(2, 3, requires_grad=True), torch.randn(2, 3, requires_grad=True)
    consistency_loss(learning, given).backward()  # type: ignore[no-untyped-call]
    assert given.grad is None
    assert learning.grad is not None
    torch.testing.assert_close(learning.grad, (torch.full((2, 3), 1 / 3) - given.softmax(dim=1)).detach() / 2)
