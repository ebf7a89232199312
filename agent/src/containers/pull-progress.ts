interface LayerProgress {
  doneBytes: number;
  totalBytes: number;
}

/** What an engine tells of a pull, line by line: bytes of each layer, and what went wrong. */
export function createPullProgress() {
  const layers = new Map<string, LayerProgress>();

  return {
    /** Throws what the line says went wrong. */
    hear(line: string): void {
      if (line.trim() === "") return;
      const { id, progressDetail, error } = Object(JSON.parse(line));
      if (error !== undefined && error !== "") throw new Error(String(error));
      const { current, total } = Object(progressDetail);
      if (typeof id !== "string" || typeof total !== "number") return;
      layers.set(id, { doneBytes: Math.min(Number(current ?? 0), total), totalBytes: total });
    },
    read(): LayerProgress {
      const all = [...layers.values()];
      return {
        doneBytes: all.reduce((sum, each) => sum + each.doneBytes, 0),
        totalBytes: all.reduce((sum, each) => sum + each.totalBytes, 0),
      };
    },
  };
}
