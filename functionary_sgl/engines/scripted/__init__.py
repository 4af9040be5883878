"""An engine without a model, for tests of this package and of its users."""

from functionary_sgl.engines.scripted.engine import ScriptedEngine
from functionary_sgl.engines.scripted.script import Reply, Script

__all__ = ["Reply", "Script", "ScriptedEngine"]
