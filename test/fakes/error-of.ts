/** The error that `call` throws; undefined when it does not. */
export function errorOf(call: () => void): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}
