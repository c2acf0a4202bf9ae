"""What the API answers, as its OpenAPI schema describes it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field


class MapAnswer(BaseModel):
    """Where in a face a model found its label."""

    box: list[float] = Field(description="x1, y1, x2, y2 of the part of the image that the map lies on")
    values: list[list[float]] = Field(description="rows from the top, -1..1; above 0 the face speaks for the label")


class FaceAnswer(BaseModel):
    """One face: where it is, and what it looks like."""

    face: int = Field(description="number of the face, from 0, the largest first")
    box: list[float] = Field(description="x1, y1, x2, y2 in pixels; origin at the top left")
    score: float = Field(description="how sure the detector is that this is a face, 0..1")
    landmarks: list[list[float]] | None = Field(None, description="68 points x, y in pixels, in iBUG order")
    pose: dict[str, float] | None = Field(None, description="yaw, pitch and roll of the head in degrees")
    action_units: dict[str, float] | None = Field(
        None, description="how far each action unit is active, 0..1, such as AU12, and its sides AU12R and AU12L"
    )
    measures: dict[str, float] | None = Field(
        None,
        description="derived measures, if the server was started with --valence or --expression: valence -1..1, "
        "all others 0..1; without those that cannot be measured",
    )
    emotion: str | None = Field(None, description="the most probable expression")
    confidence: float | None = Field(None, description="its probability, 0..1")
    certain: bool | None = Field(None, description="whether readings like this one were right 9 times in 10")
    emotions: dict[str, float] | None = Field(None, description="the probability of each expression, 0..1")
    map: MapAnswer | None = Field(None, description="where the label was found, if that was asked for")
    vector: list[float] | None = Field(None, description="24 distances between parts of the face, with the model ferc")


class PictureAnswer(BaseModel):
    """What was read of one image."""

    schema_: int = Field(alias="schema", description="version of this shape")
    source: str = Field(description="the file's name, as it was sent")
    frame: int = 0
    timestamp: float | None = None
    size: list[int] = Field(description="width and height in pixels")
    faces: list[FaceAnswer] = Field(description="largest first; empty where no face was found")
    speed: dict[str, float] = Field(description="milliseconds of each stage")


class FailureAnswer(BaseModel):
    """An image that could not be read, and why."""

    source: str
    message: str


class PicturesAnswer(BaseModel):
    """What was read of all images."""

    schema_: int = Field(alias="schema", description="version of this shape")
    info: dict[str, Any] = Field(description="model, detector and settings that made the results")
    results: list[PictureAnswer]
    failures: list[FailureAnswer]


class VideoAnswer(BaseModel):
    """How far a video is, and where its results are."""

    id: str
    state: str = Field(description="waiting, reading, done, failed or cancelled")
    frames_done: int
    frames_total: int | None = Field(description="about how many there are; null where the video does not say")
    results: dict[str, str] = Field(description="the address of each file, once it is done")
    problem: dict[str, Any] | None = Field(description="why it failed")


class ModelAnswer(BaseModel):
    """What is known of a model."""

    name: str
    version: str
    description: str
    licence: str
    heads: dict[str, list[str]] = Field(description="the words of each of its outputs")
    limits: list[str]
    metrics: dict[str, Any]
    used: bool = Field(description="whether this server reads with it")


class ModelsAnswer(BaseModel):
    """The models inside the package."""

    models: list[ModelAnswer]


class SettingsAnswer(BaseModel):
    """What the page must know."""

    version: str
    labels: list[str] = Field(description="the words of the model that reads, in their order")
    maps: bool = Field(description="whether the model can tell where in a face it found a label")
    tab: bool = Field(description="whether the page can read in its tab, without this server")
    colours: dict[str, str] = Field(description="the colour of each, as #rrggbb")
    units: dict[str, str] = Field(description="the name of each action unit, by code")
    measures: dict[str, str] = Field(description="the meaning of each derived measure that faces have, by name")
    schema_: int = Field(alias="schema", description="version of the shape of results")
    photo_columns: list[dict[str, Any]] = Field(description="columns of a table of photos: name, and path in a result")
    max_upload: int
    max_video: int
    max_pixels: int
    max_images: int


class HealthAnswer(BaseModel):
    """That the server lives."""

    status: str
    version: str
