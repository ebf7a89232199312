import { describe, expect, it } from "vitest";
import { AppError, ERRORS, isErrorCode, problemTitle, problemType, type ErrorCode } from "./index.ts";

const codes = Object.keys(ERRORS).filter(isErrorCode);

describe("an error", () => {
  it("fills in its words and its remedy", () => {
    const params = { target: "shop", change: "chg_1", state: "baking", by: "Ann", since: "noon" };
    const error = new AppError("CHANGE_LOCKED", params);
    expect(error.message).toBe("shop is being altered by chg_1 (baking), requested by Ann at noon");
    expect(error.remedy).toContain("'mainstay change abort chg_1'");
    expect([error.status, error.code, error.name]).toEqual([409, "CHANGE_LOCKED", "AppError"]);
  });

  it("shows which parameter is missing rather than hiding the gap", () => {
    expect(new AppError("NOT_FOUND").message).toBe("{what} does not exist");
  });

  it("does not fill in what a parameter itself brings along", () => {
    const error = new AppError("CONFIG_UNREADABLE", { file: "{reason}", reason: "$& $1" });
    expect(error.message).toBe("{reason} cannot be read: $& $1");
  });

  it("keeps its cause and its fields", () => {
    const cause = new Error("inner");
    const errors = [{ path: "a", message: "b" }];
    expect(new AppError("INTERNAL", {}, { cause, errors })).toMatchObject({ cause, errors });
    expect("cause" in new AppError("INTERNAL")).toBe(false);
  });
});

describe("the catalogue", () => {
  it.each(codes)("%s has a status, words and a remedy that is a sentence", (code: ErrorCode) => {
    const { status, message, remedy } = ERRORS[code];
    expect(status >= 400 && status < 600).toBe(true);
    expect(message).toMatch(/^[^.]*\S$|^\S.*[^.]$/);
    expect(remedy).toMatch(/^[A-Z'].*\.$/s);
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
  });

  it("gives each problem a stable type and a title", () => {
    expect(problemType("NOT_FOUND")).toBe("urn:mainstay:error:NOT_FOUND");
    expect(problemTitle("REQUEST_TOO_LARGE")).toBe("Request too large");
  });

  it("knows its codes, and not what every object has", () => {
    expect(isErrorCode("NOT_FOUND")).toBe(true);
    expect(isErrorCode("constructor")).toBe(false);
  });
});
