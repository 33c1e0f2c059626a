/** Tells a run to stop: `stop` after the operation in hand, `cancel` in the middle of it. */
export interface Signals {
  readonly stop: AbortSignal;
  readonly cancel: AbortSignal;
}
