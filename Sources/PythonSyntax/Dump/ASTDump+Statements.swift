import Diagnostics

extension ASTDump {
  mutating func write(_ field: String, _ statement: Stmt) {
    let range = statement.range
    switch statement.kind {
    case .function(let function):
      open(field, function.isAsync ? "AsyncFunctionDef" : "FunctionDef", range)
      text("name", function.name)
      write(function.parameters)
      write("body", function.body)
      for decorator in function.decorators { write("decorator_list", decorator) }
      write("returns", function.returns)
      write(function.typeParameters)
    case .classDef(let definition):
      open(field, "ClassDef", range)
      text("name", definition.name)
      for base in definition.bases { write("bases", base) }
      write(definition.keywords)
      write("body", definition.body)
      for decorator in definition.decorators { write("decorator_list", decorator) }
      write(definition.typeParameters)
    case .return(let value):
      open(field, "Return", range)
      write("value", value)
    case .delete(let targets):
      open(field, "Delete", range)
      for target in targets { write("targets", target, .del) }
    case .assign(let targets, let value):
      open(field, "Assign", range)
      for target in targets { write("targets", target, .store) }
      write("value", value)
    case .typeAlias(let name, let parameters, let value):
      open(field, "TypeAlias", range)
      write("name", name, .store)
      write(parameters)
      write("value", value)
    case .augAssign(let target, let op, let result):
      open(field, "AugAssign", range)
      write("target", target, .store)
      value("op", op.className)
      write("value", result)
    case .annAssign(let target, let annotation, let result, let isSimple):
      open(field, "AnnAssign", range)
      write("target", target, .store)
      write("annotation", annotation)
      write("value", result)
      value("simple", isSimple ? "1" : "0")
    case .for(let loop):
      open(field, loop.isAsync ? "AsyncFor" : "For", range)
      write("target", loop.target, .store)
      write("iter", loop.iterable)
      write("body", loop.body)
      write("orelse", loop.orElse)
    case .while(let test, let body, let orElse):
      open(field, "While", range)
      write("test", test)
      write("body", body)
      write("orelse", orElse)
    case .if(let test, let body, let orElse):
      open(field, "If", range)
      write("test", test)
      write("body", body)
      write("orelse", orElse)
    case .with(let items, let body, let isAsync):
      open(field, isAsync ? "AsyncWith" : "With", range)
      for item in items {
        open("items", "withitem")
        write("context_expr", item.context)
        write("optional_vars", item.target, .store)
        close()
      }
      write("body", body)
    case .match(let subject, let cases):
      open(field, "Match", range)
      write("subject", subject)
      for matchCase in cases {
        open("cases", "match_case")
        write("pattern", matchCase.pattern)
        write("guard", matchCase.guardTest)
        write("body", matchCase.body)
        close()
      }
    case .raise(let exception, let cause):
      open(field, "Raise", range)
      write("exc", exception)
      write("cause", cause)
    case .try(let body, let handlers, let orElse, let finally, let isStar):
      open(field, isStar ? "TryStar" : "Try", range)
      write("body", body)
      for handler in handlers {
        open("handlers", "ExceptHandler", handler.range)
        write("type", handler.type)
        if let name = handler.name { text("name", name) }
        write("body", handler.body)
        close()
      }
      write("orelse", orElse)
      write("finalbody", finally)
    case .assert(let test, let message):
      open(field, "Assert", range)
      write("test", test)
      write("msg", message)
    case .import(let names):
      open(field, "Import", range)
      write(names)
    case .importFrom(let module, let names, let level):
      open(field, "ImportFrom", range)
      if let module { text("module", module) }
      write(names)
      value("level", String(level))
    case .global(let names):
      open(field, "Global", range)
      for name in names { text("names", name) }
    case .nonlocal(let names):
      open(field, "Nonlocal", range)
      for name in names { text("names", name) }
    case .expression(let value):
      open(field, "Expr", range)
      write("value", value)
    case .pass: open(field, "Pass", range)
    case .break: open(field, "Break", range)
    case .continue: open(field, "Continue", range)
    case .error: open(field, "Error", range)
    }
    close()
  }

  private mutating func write(_ field: String, _ body: [Stmt]) {
    for statement in body { write(field, statement) }
  }

  private mutating func write(_ names: [ImportAlias]) {
    for name in names {
      open("names", "alias", name.range)
      text("name", name.name)
      if let asName = name.asName { text("asname", asName) }
      close()
    }
  }

  private mutating func write(_ parameters: [TypeParameter]) {
    for parameter in parameters {
      switch parameter.kind {
      case .typeVar(let bound):
        open("type_params", "TypeVar", parameter.range)
        text("name", parameter.name)
        write("bound", bound)
      case .paramSpec:
        open("type_params", "ParamSpec", parameter.range)
        text("name", parameter.name)
      case .typeVarTuple:
        open("type_params", "TypeVarTuple", parameter.range)
        text("name", parameter.name)
      }
      write("default_value", parameter.defaultValue)
      close()
    }
  }

  private mutating func write(_ field: String, _ pattern: Pattern) {
    let range = pattern.range
    switch pattern.kind {
    case .value(let value):
      open(field, "MatchValue", range)
      write("value", value)
    case .singleton(let constant):
      open(field, "MatchSingleton", range)
      write(constant)
    case .sequence(let patterns):
      open(field, "MatchSequence", range)
      for pattern in patterns { write("patterns", pattern) }
    case .mapping(let keys, let patterns, let rest):
      open(field, "MatchMapping", range)
      for key in keys { write("keys", key) }
      for pattern in patterns { write("patterns", pattern) }
      if let rest { text("rest", rest) }
    case .classPattern(let value, let patterns, let names, let keywordPatterns):
      open(field, "MatchClass", range)
      write("cls", value)
      for pattern in patterns { write("patterns", pattern) }
      for name in names { text("kwd_attrs", name) }
      for pattern in keywordPatterns { write("kwd_patterns", pattern) }
    case .star(let name):
      open(field, "MatchStar", range)
      if let name { text("name", name) }
    case .asPattern(let inner, let name):
      open(field, "MatchAs", range)
      if let inner { write("pattern", inner) }
      if let name { text("name", name) }
    case .or(let patterns):
      open(field, "MatchOr", range)
      for pattern in patterns { write("patterns", pattern) }
    case .error:
      open(field, "Error", range)
    }
    close()
  }
}
