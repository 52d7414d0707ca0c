"""The legal bases on which content may be erased, by the code that stands in the entry for ever.

GDPR is Regulation (EU) 2016/679; APPI is Japan's Act on the Protection of Personal Information (Act 57 of 2003).
"""

from django.db import models
from django.utils.translation import gettext_lazy as _


class LegalBasis(models.TextChoices):
    """Code and words of each basis. The list only grows."""

    NO_LONGER_NEEDED = "gdpr-17-1-a", _("GDPR Art. 17(1)(a): no longer necessary for its purpose")
    CONSENT_WITHDRAWN = "gdpr-17-1-b", _("GDPR Art. 17(1)(b): consent withdrawn")
    OBJECTION = "gdpr-17-1-c", _("GDPR Art. 17(1)(c): the person objects")
    UNLAWFUL = "gdpr-17-1-d", _("GDPR Art. 17(1)(d): processed unlawfully")
    OBLIGATION = "gdpr-17-1-e", _("GDPR Art. 17(1)(e): a law demands the erasure")
    STORAGE_LIMITATION = "gdpr-5-1-e", _("GDPR Art. 5(1)(e): the time of storage is over")
    APPI_NOT_NEEDED = "appi-22", _("APPI Art. 22: no longer needed")
    APPI_DEMAND = "appi-35", _("APPI Art. 35: the person demands it")
    ORDER = "order", _("Order of a court or authority")
    CONTRACT = "contract", _("Duty of a contract or of confidence")
