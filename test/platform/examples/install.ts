import { installDebian, installPackages } from "../install.ts";

export default function setup(): void {
  installPackages(["workerd", "chromium"]);
  installDebian("chromium");
}
