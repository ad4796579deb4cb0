// Everything the pages do beyond links and forms. Each file starts itself; the page is complete without any of them.
import "./shell.js";
import "./live.js";
import "./player/player.js";
import "./library.js";
import "./search.js";
import "./reorder.js";
import "./upload/upload.js";
import "./chooser.js";
import "./playlist/start.js";
import "./playlist/drag.js";
