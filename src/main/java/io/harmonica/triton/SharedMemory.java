package io.harmonica.triton;

/** Whether tensors lie in memory that client and server share, instead of travelling. */
public enum SharedMemory {
  /** Where it turns out to be possible: the first trajectory tries. */
  AUTO,
  /** Or else fail. */
  ON,
  OFF
}
