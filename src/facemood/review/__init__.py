"""Review by hand: people label moments of a run without knowing facemood's answer, and agreement is computed from that.

The page needs the extra ``serve``; samples and agreement need none.
"""

from facemood.review.agreement import Agreement, compare
from facemood.review.label_store import HARD_TO_TELL, LabelStore, open_review

__all__ = ["HARD_TO_TELL", "Agreement", "LabelStore", "compare", "open_review"]
