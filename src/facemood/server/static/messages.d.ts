// Messages of the server, for the type check of the page (make check-js). The package does not ship this file.

/** x1, y1, x2, y2 in pixels of the image. */
export type Box = [number, number, number, number];

/** The probability of each expression, 0..1. */
export type Probabilities = Record<string, number>;

/** An activation map: rows from the top, -1..1. Its box is turned by `tilt` degrees, clockwise in the image. */
export interface FaceMap {
  box: Box;
  tilt: number;
  values: number[][];
}

export interface Face {
  box: Box;
  score: number;
  track_id?: number;
  emotion?: string;
  confidence?: number;
  certain?: boolean;
  emotions?: Probabilities;
  raw_emotions?: Probabilities;
  pose?: Record<string, number>;
  action_units?: Record<string, number>;
  /** Derived measures by name: valence -1..1, all others 0..1. */
  measures?: Record<string, number>;
  display_label?: string;
  landmarks?: [number, number][];
  map?: FaceMap;
}

/** The result of one image. */
export interface Result {
  source: string;
  frame: number;
  timestamp: number | null;
  size: [number, number];
  faces: Face[];
}

/** A column of the table, and the keys that lead to its cell in a result. */
export interface Column {
  name: string;
  path: (string | number)[];
}

/** An image to be read, the width and height at which it is read, and the time of a video in seconds. */
export interface Shot {
  source: HTMLVideoElement | HTMLCanvasElement;
  size: [number, number];
  time?: number;
}

/** The first message of a connection. */
export interface Hello {
  type: "hello";
  info: Record<string, unknown>;
  schema: number;
  columns: Column[];
  maps: boolean;
}

/** The result of an image that was sent over the connection. */
export interface LiveResult extends Result {
  type: "result";
}

/** Why an image was not analyzed. */
export interface ProblemMessage {
  type: "problem";
  frame: number;
  problem: { detail: string };
}

export type Message = Hello | LiveResult | ProblemMessage;

/** The answer of /v1/analyze. */
export interface Results {
  results: Result[];
  failures: { source: string; message: string }[];
  info: Record<string, unknown>;
}

/** The answer of /v1/videos. */
export interface Job {
  id: string;
  state: "waiting" | "reading" | "done" | "failed" | "cancelled";
  frames_done: number;
  frames_total: number | null;
  results: Record<string, string>;
  problem: { detail: string } | null;
}

/** The answer of /v1/settings. */
export interface Settings {
  version: string;
  labels: string[];
  maps: boolean;
  /** Whether the page can read in its tab, without the server. */
  tab?: boolean;
  colours: Record<string, string>;
  /** The name of each action unit, by code. */
  units: Record<string, string>;
  /** The meaning of each derived measure, by name; only a server that was asked for them has any. */
  measures?: Record<string, string>;
  /** Version of the results' shape, and the columns of a table of photos. */
  schema: number;
  photo_columns: Column[];
}

/** What reads the images of the page: a server, or this tab. */
export interface PageEngine {
  /** What is said of a video that the browser cannot play, and while the first image is awaited. */
  readonly unplayable: string;
  readonly waiting: string;
  /** The greeting, once images can be read. */
  readonly hello: Hello | null;
  /** Whether an image may be taken now. */
  readonly free: boolean;
  /** Results per second, and milliseconds from an image to its result. */
  readonly pace: { rate: number; delay: number };
  onMessage: (message: Message) => void;
  onConnection: (connected: boolean) => void;
  /** Adapt the words of the page, such as where images go. */
  describe(): void;
  settings(): Promise<Settings>;
  /** Begin a source of many images, or end it. */
  open(kind: "camera" | "screen" | "video"): void;
  close(): void;
  /** Read an image; its result comes as a message. */
  take(shot: Shot): Promise<void>;
  /** Ask for an activation map with each face, or stop asking. */
  map(wanted: boolean): void;
  /** Ask for action units with each face, or stop asking. */
  measureUnits(wanted: boolean): void;
  readPhotos(files: File[], wanted: { maps: boolean; units: boolean }): Promise<Results>;
  /** Offer to read a whole video, or none. */
  offerVideo(file: File | null): void;
}
