import { type Step, click, expect, mayShare, text, textOf, until } from "./step.ts";

export const speed: readonly Step[] = [
  {
    name: "measures this browser",
    async run({ page, picture }) {
      await page.evaluate(`probe.place("measure").top`);
      await click(page, "measure");
      await until(page, `${textOf("speed-status")}.startsWith("gradstep is")`, 60);
      const status = await text(page, "speed-status");
      expect(Number.parseFloat(status.replace(/\D+/, "")) > 1, status);
      const bars = Number(await page.evaluate(`document.querySelectorAll("#speed-chart rect").length`));
      const shared = await mayShare(page);
      expect(bars === (shared ? 10 : 8) && status.includes("threads") === shared, `${bars} bars: ${status}`);
      await picture("speed", "speed-chart");
      return status;
    },
  },
];
