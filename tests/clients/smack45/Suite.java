import java.net.URI;
import java.util.Arrays;
import org.igniterealtime.smack.inttest.Configuration;
import org.igniterealtime.smack.inttest.SmackIntegrationTestFramework;
import org.igniterealtime.smack.inttest.XmppConnectionDescriptor;
import org.igniterealtime.smack.inttest.XmppConnectionManager;
import org.jivesoftware.smack.c2s.ModularXmppClientToServerConnection;
import org.jivesoftware.smack.c2s.ModularXmppClientToServerConnectionConfiguration;
import org.jivesoftware.smack.tcp.XMPPTCPConnection;
import org.jivesoftware.smack.tcp.XMPPTCPConnectionConfiguration;
import org.jivesoftware.smack.websocket.XmppWebSocketTransportModuleDescriptor;
import org.jivesoftware.smack.websocket.java11.Java11WebSocketFactory;

/**
 * Runs Smack's own integration tests: {@code Suite PORT WEBSOCKET CONNECTION DISABLED ENABLED}, where CONNECTION is the kind
 * under test ({@code tcp} or {@code websocket}), DISABLED and ENABLED lists of classes with commas. Prints one line for each
 * test: PASS, FAIL or IMPOSSIBLE, its name, and why.
 */
public final class Suite {
    public static void main(String[] args) throws Exception {
        int port = Integer.parseInt(args[0]);
        URI webSocket = URI.create(args[1]);
        addressing(port, webSocket);
        Configuration.Builder builder = Configuration.builder()
                .setService("localhost")
                .setSecurityMode("disabled")
                .setReplyTimeout("10000")
                .setAdminAccountUsernameAndPassword("admin", "secret")
                .setDefaultConnection(args[2])
                .setEnabledConnections(args[2]);
        if (!args[3].isEmpty()) {
            builder.setDisabledTests(args[3]);
        }
        if (!args[4].isEmpty()) {
            builder.setEnabledTests(args[4]);
        }
        SmackIntegrationTestFramework.TestRunResult result =
                new SmackIntegrationTestFramework(builder.build()).run();
        result.getSuccessfulTests().forEach(test -> say("PASS", test.concreteTest, ""));
        result.getFailedTests().forEach(test -> say("FAIL", test.concreteTest, test.failureReason));
        result.getNotPossibleTests()
                .forEach(test -> say("IMPOSSIBLE", test.concreteTest, test.testNotPossibleException));
        result.getImpossibleTestClasses().forEach((test, why) -> say("IMPOSSIBLE", test.getName(), why));
        System.exit(0);
    }

    /** The framework knows its connections by name; these lead to the server under test. */
    private static void addressing(int port, URI webSocket) throws Exception {
        for (XmppConnectionDescriptor<?, ?, ?> known : Arrays.asList(
                XmppConnectionDescriptor
                        .buildWith(XMPPTCPConnection.class, XMPPTCPConnectionConfiguration.class,
                                XMPPTCPConnectionConfiguration.Builder.class)
                        .withNickname("tcp")
                        .applyExtraConfiguration(builder -> builder.setHost("127.0.0.1").setPort(port))
                        .build(),
                XmppConnectionDescriptor
                        .buildWith(ModularXmppClientToServerConnection.class,
                                ModularXmppClientToServerConnectionConfiguration.class,
                                ModularXmppClientToServerConnectionConfiguration.Builder.class)
                        .withNickname("websocket")
                        .applyExtraConfiguration(builder -> {
                            builder.removeAllModules();
                            builder.addModule(XmppWebSocketTransportModuleDescriptor.getBuilder(builder)
                                    .explicitlySetWebSocketEndpointAndDiscovery(webSocket, false)
                                    .setWebSocketFactory(Java11WebSocketFactory.INSTANCE)
                                    .build());
                        })
                        .build())) {
            XmppConnectionManager.addConnectionDescriptor(known);
        }
    }

    private static void say(String kind, Object test, Object why) {
        System.out.println(kind + " " + test + " " + String.valueOf(why).replaceAll("\\s+", " "));
    }
}
